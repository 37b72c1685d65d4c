module example.com/variants

go 1.26

replace github.com/org/lambda-profile-action/agents/go => ../../../../agents/go

require (
	github.com/aws/aws-lambda-go v1.55.1
	github.com/org/lambda-profile-action/agents/go v0.0.0-00010101000000-000000000000
)

require (
	github.com/aws/aws-sdk-go-v2 v1.47.6 // indirect
	github.com/aws/smithy-go v1.28.8 // indirect
)
