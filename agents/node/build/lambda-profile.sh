#!/bin/sh
# AWS_LAMBDA_EXEC_WRAPPER of the profiling layer: puts the agent's handler in front of the function's own.
# Without a bucket, or when switched off, it changes nothing.
if [ -n "$LAMBDA_PROFILE_BUCKET$SPARTA_PROFILE_BUCKET_NAME" ] && [ "$LAMBDA_PROFILE_DISABLE" != 1 ]; then
  # The layer may be mounted anywhere; the runtime refuses a handler path with '..'.
  directory=${0%/*}
  case "$directory" in
    /*..* | [!/]*) directory=$(cd -- "$directory" && pwd -P) ;;
  esac
  export LAMBDA_PROFILE_HANDLER="$_HANDLER"
  export _HANDLER="$directory/nodejs/lambda-profile/handler.handler"
fi
if [ -n "$LAMBDA_PROFILE_NEXT_WRAPPER" ]; then
  exec "$LAMBDA_PROFILE_NEXT_WRAPPER" "$@"
fi
exec "$@"
