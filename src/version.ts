declare const __VERSION__: string | undefined;

/** The bundle knows the version; sources run as they are do not. */
export const VERSION: string = typeof __VERSION__ === 'string' ? __VERSION__ : 'development';

/** What reports and recordings say made them. */
export const TOOL = `lambda-profile-action ${VERSION}`;
