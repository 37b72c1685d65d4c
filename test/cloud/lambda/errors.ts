/**
 * An error of the Lambda API as it goes over the wire: a status, the exception name in `X-Amzn-Errortype`, and a body
 * `{"Type":"User","Message":…}`. Extra members (such as `Reason` of a throttle) are added to the body.
 */
export class LambdaApiError extends Error {
  readonly status: number;
  readonly exception: string;
  readonly members: Readonly<Record<string, string>>;

  constructor(status: number, exception: string, message: string, members: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = exception;
    this.status = status;
    this.exception = exception;
    this.members = members;
  }

  /** The JSON body. IAM refusals carry no `Type`, because the refusal comes from in front of Lambda. */
  body(): Record<string, string> {
    const type = this.status === 403 ? {} : { Type: this.status >= 500 ? 'Service' : 'User' };
    return { ...this.members, ...type, Message: this.message };
  }
}

/** 404 for a function, version or alias that does not exist; `arn` is the one asked for. */
export const functionNotFound = (arn: string) =>
  new LambdaApiError(404, 'ResourceNotFoundException', `Function not found: ${arn}`);

/** 400 for a parameter whose value Lambda does not accept. */
export const invalidParameter = (message: string) => new LambdaApiError(400, 'InvalidParameterValueException', message);

/** 400 for a member that breaks a constraint of the API model. */
export const invalidMember = (member: string, value: string, constraint: string) =>
  new LambdaApiError(
    400,
    'ValidationException',
    `1 validation error detected: Value '${value}' at '${member}' failed to satisfy constraint: ${constraint}`,
  );

/** 409 for a change that collides with the present state of the function. */
export const conflict = (message: string) => new LambdaApiError(409, 'ResourceConflictException', message);

/**
 * 403 as IAM words it. `policy` names the kind of policy that would have to allow the action: identity-based inside
 * the account, resource-based for somebody else's function.
 */
export const accessDenied = (
  accountId: string,
  action: string,
  resource: string,
  policy: 'identity-based' | 'resource-based' = 'identity-based',
) =>
  new LambdaApiError(
    403,
    'AccessDeniedException',
    `User: arn:aws:sts::${accountId}:assumed-role/lambda-profile/GitHubActions is not authorized to perform: ` +
      `${action} on resource: ${resource} because no ${policy} policy allows the ${action} action`,
  );
