/** Writes `docs/report.schema.json`: `node build/report-schema.ts && npm run format`. */
import { writeFileSync } from 'node:fs';
import { renderReportSchema } from '../src/report/schema.ts';

writeFileSync(new URL('../docs/report.schema.json', import.meta.url), renderReportSchema());
