/** Writes `docs/report.schema.json` and `docs/config.schema.json`: `node build/report-schema.ts && npm run format`. */
import { writeFileSync } from 'node:fs';
import { renderConfigSchema } from '../src/config-schema.ts';
import { renderReportSchema } from '../src/report/schema.ts';

writeFileSync(new URL('../docs/report.schema.json', import.meta.url), renderReportSchema());
writeFileSync(new URL('../docs/config.schema.json', import.meta.url), renderConfigSchema());
