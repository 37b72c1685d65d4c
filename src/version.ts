declare const __VERSION__: string | undefined;

/** What reports and recordings say made them. The bundle knows the version; sources run as they are do not. */
export const TOOL = `lambda-profile-action ${typeof __VERSION__ === 'string' ? __VERSION__ : 'development'}`;
