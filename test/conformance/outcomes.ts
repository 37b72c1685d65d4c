/** Outcomes of named checks. */
export class Outcomes {
  passed = 0;
  failed = 0;

  /** Runs one check; it fails by returning or throwing what differs. */
  check(name: string, run: () => string[]): void {
    let differences: string[];
    try {
      differences = run();
    } catch (error) {
      differences = [(error as Error).stack ?? String(error)];
    }
    if (differences.length === 0) this.passed++;
    else {
      this.failed++;
      console.log(`FAILED ${name}\n  ${differences.slice(0, 5).join('\n  ')}`);
    }
  }
}
