/**
 * The config file as JSON Schema, `docs/config.schema.json`: editors check a file whose first line is
 * `# yaml-language-server: $schema=` and its address. What is accepted is the business of `settings.ts`; a test keeps the
 * two lists of keys the same.
 */
import * as z from 'zod';
import { durationText, percentText, policyShape } from './policy-config.ts';
import { PROFILE_TYPES } from './snapshots/layout.ts';

const integer = z.int().min(0);

/** Keys and values of `.github/lambda-profile.yml`. */
export const configSchema = z.strictObject({
  payload: z
    .union([z.string(), z.record(z.string(), z.unknown()), z.array(z.unknown())])
    .optional()
    .meta({ description: 'Event to send: JSON, file: and a path, or a weighted list of { payload, weight }' }),
  invocations: integer.optional().meta({ description: 'Measured invocations, over all instances' }),
  'warmup-invocations': integer.optional().meta({ description: 'Invocations before the measurement' }),
  concurrency: integer.optional().meta({ description: 'Invocations in flight, hence instances' }),
  rate: z.number().positive().optional().meta({ description: 'Calls per second' }),
  ramp: durationText.optional().meta({ description: 'Time in which the rate is reached' }),
  duration: durationText.optional().meta({ description: 'How long to measure' }),
  'max-duration': durationText.optional().meta({ description: 'No call is sent after so long' }),
  'min-cpu-seconds': z.number().positive().optional().meta({ description: 'CPU to sample' }),
  'monthly-invocations': integer.optional().meta({ description: 'Traffic for which the cost of a month is told' }),
  'profile-types': z
    .union([z.string(), z.array(z.enum(PROFILE_TYPES))])
    .optional()
    .meta({ description: 'Profile types to collect' }),
  'wait-timeout': durationText.optional().meta({ description: 'Longest wait for snapshots' }),
  'fail-threshold': percentText.optional().meta({ description: 'Growth that fails the build' }),
  'warn-threshold': percentText.optional().meta({ description: 'Growth that is warned of' }),
  'min-delta': durationText.optional().meta({ description: 'Changes below this much CPU per invocation never count' }),
  'fail-on-error': z.boolean().optional().meta({ description: 'Fail the build when nothing could be measured' }),
  comment: z.enum(['always', 'on-change', 'never']).optional().meta({ description: 'When to comment' }),
  top: integer.optional().meta({ description: 'Functions shown before the fold' }),
  ...policyShape,
});

/** The text of `docs/config.schema.json` (draft 2020-12). */
export function renderConfigSchema(): string {
  const schema = z.toJSONSchema(configSchema, { io: 'input' });
  return `${JSON.stringify({ title: '.github/lambda-profile.yml of lambda-profile-action', ...schema }, null, 2)}\n`;
}
