// CDK: the function, whose main starts the agent, and the two roles of the jobs that measure it.
import { fileURLToPath } from 'node:url';
import { Stack } from 'aws-cdk-lib';
import { OpenIdConnectProvider, PolicyStatement, Role, WebIdentityPrincipal } from 'aws-cdk-lib/aws-iam';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';

const ISSUER = 'token.actions.githubusercontent.com';
const NAME = 'orders';
const SNAPSHOTS = `sparta/pprof/${NAME}/profiles/*`;
const RECORDINGS = `lambda-profile/recordings/${NAME}/*`;

export class OrdersStack extends Stack {
  /** `props`: bucket (an IBucket), repository (owner/name), branch; build `bootstrap` into ../dist before */
  constructor(scope, id, { bucket, repository, branch = 'main', ...props }) {
    super(scope, id, props);
    const orders = new LambdaFunction(this, 'Orders', {
      functionName: NAME,
      runtime: Runtime.PROVIDED_AL2023,
      handler: 'bootstrap',
      code: Code.fromAsset(fileURLToPath(new URL('../dist', import.meta.url))),
      memorySize: 512,
      environment: { LAMBDA_PROFILE_BUCKET: bucket.bucketName },
    });
    const allow = (actions, resources, conditions) => new PolicyStatement({ actions, resources, conditions });
    orders.addToRolePolicy(allow(['s3:PutObject'], [bucket.arnForObjects(SNAPSHOTS)]));

    const versions = [orders.functionArn, `${orders.functionArn}:*`];
    const provider = OpenIdConnectProvider.fromOpenIdConnectProviderArn(
      this,
      'GitHub',
      this.formatArn({ service: 'iam', region: '', resource: 'oidc-provider', resourceName: ISSUER }),
    );
    // The role assumes sts:AssumeRoleWithWebIdentity.
    const roleFor = (name, subject) => {
      const claims = { [`${ISSUER}:aud`]: 'sts.amazonaws.com', [`${ISSUER}:sub`]: `repo:${repository}:${subject}` };
      const role = new Role(this, name, {
        assumedBy: new WebIdentityPrincipal(provider.openIdConnectProviderArn, { StringEquals: claims }),
      });
      for (const statement of [
        allow(['lambda:InvokeFunction', 'lambda:GetAlias', 'lambda:GetFunctionConfiguration'], versions),
        allow(['lambda:GetFunctionConcurrency', 'lambda:GetProvisionedConcurrencyConfig'], versions),
        allow(['lambda:GetAccountSettings'], ['*']),
        allow(['s3:ListBucket'], [bucket.bucketArn], { StringLike: { 's3:prefix': [SNAPSHOTS, RECORDINGS] } }),
        allow(['s3:GetObject'], [bucket.arnForObjects(SNAPSHOTS), bucket.arnForObjects(RECORDINGS)]),
      ])
        role.addToPolicy(statement);
      return role;
    };
    this.readRole = roleFor('ReadRole', 'pull_request');
    this.storeRole = roleFor('StoreRole', `ref:refs/heads/${branch}`);
    this.storeRole.addToPolicy(allow(['s3:PutObject'], [bucket.arnForObjects(RECORDINGS)]));
  }
}
