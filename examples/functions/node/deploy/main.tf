# Terraform: the function with the agent's layer, and the two roles of the jobs that measure it.
variable "bucket" { description = "Where snapshots and recordings are" }
variable "layer" { description = "ARN of the layer version of the agent" }
variable "repository" { description = "owner/name on GitHub" }
variable "branch" { default = "main" }

data "aws_partition" "this" {}
data "aws_iam_openid_connect_provider" "github" { url = "https://token.actions.githubusercontent.com" }
data "archive_file" "code" {
  type        = "zip"
  source_dir  = "${path.module}/.."
  excludes    = ["deploy"]
  output_path = "${path.module}/orders.zip"
}

locals {
  name       = "orders"
  bucket     = "arn:${data.aws_partition.this.partition}:s3:::${var.bucket}"
  snapshots  = "sparta/pprof/${local.name}/profiles/*"
  recordings = "lambda-profile/recordings/${local.name}/*"
  # Who may take which role: the claim "sub" of GitHub's token.
  jobs = {
    read  = "repo:${var.repository}:pull_request"
    store = "repo:${var.repository}:ref:refs/heads/${var.branch}"
  }
}

resource "aws_lambda_function" "orders" {
  function_name    = local.name
  role             = aws_iam_role.function.arn
  runtime          = "nodejs24.x"
  handler          = "index.handler"
  memory_size      = 512
  publish          = true
  filename         = data.archive_file.code.output_path
  source_code_hash = data.archive_file.code.output_base64sha256
  layers           = [var.layer]
  environment {
    variables = {
      AWS_LAMBDA_EXEC_WRAPPER = "/opt/lambda-profile"
      LAMBDA_PROFILE_BUCKET   = var.bucket
    }
  }
}

resource "aws_iam_role" "function" {
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy" "publish" {
  role = aws_iam_role.function.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "s3:PutObject", Resource = "${local.bucket}/${local.snapshots}" }]
  })
}

resource "aws_iam_role" "job" {
  for_each = local.jobs
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = data.aws_iam_openid_connect_provider.github.arn }
      Condition = { StringEquals = {
        "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
        "token.actions.githubusercontent.com:sub" = each.value
      } }
    }]
  })
}

resource "aws_iam_role_policy" "measure" {
  for_each = aws_iam_role.job
  role     = each.value.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["lambda:InvokeFunction", "lambda:GetAlias", "lambda:GetFunctionConfiguration"]
        Resource = [aws_lambda_function.orders.arn, "${aws_lambda_function.orders.arn}:*"]
      },
      {
        Effect   = "Allow"
        Action   = ["lambda:GetFunctionConcurrency", "lambda:GetProvisionedConcurrencyConfig"]
        Resource = [aws_lambda_function.orders.arn, "${aws_lambda_function.orders.arn}:*"]
      },
      { Effect = "Allow", Action = "lambda:GetAccountSettings", Resource = "*" },
      {
        Effect    = "Allow"
        Action    = "s3:ListBucket"
        Resource  = local.bucket
        Condition = { StringLike = { "s3:prefix" = [local.snapshots, local.recordings] } }
      },
      {
        Effect   = "Allow"
        Action   = "s3:GetObject"
        Resource = ["${local.bucket}/${local.snapshots}", "${local.bucket}/${local.recordings}"]
      },
    ]
  })
}

resource "aws_iam_role_policy" "store" {
  role = aws_iam_role.job["store"].id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "s3:PutObject", Resource = "${local.bucket}/${local.recordings}" }]
  })
}
