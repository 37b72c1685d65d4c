/** The part of aws4 that is used; the package brings no types. */
declare module 'aws4' {
  interface Request {
    service: string;
    region: string;
    method: string;
    path: string;
    headers: Record<string, string>;
  }
  interface Credentials {
    accessKeyId: string;
    secretAccessKey: string;
    sessionToken?: string | undefined;
  }
  const aws4: { sign(request: Request, credentials: Credentials): Request };
  export default aws4;
}
