/** What a reader sees and does in the list of executions. */
import type { Locator, Page } from 'playwright-core';

export class ListPage {
  readonly page: Page;
  readonly rows: Locator;
  readonly grid: Locator;

  constructor(page: Page) {
    this.page = page;
    this.rows = page.locator('.row:not(.head)');
    this.grid = page.getByRole('grid');
  }

  row(executionId: string): Locator {
    return this.page.locator(`#row-${executionId}`);
  }

  /** The words of the states on screen. */
  states(): Promise<string[]> {
    return this.rows.locator('.state').allTextContents();
  }

  /** How many executions it lists, on screen or not. */
  async count(): Promise<number> {
    return Number(await this.grid.getAttribute('aria-rowcount')) - 1;
  }

  chip(name: string): Locator {
    return this.page.getByRole('button', { name: new RegExp(`^${name}`) });
  }

  /** What the chip of a status counts. */
  async counted(name: string): Promise<number> {
    const text = await this.chip(name).locator('.count').textContent();
    return Number(text?.replaceAll(',', ''));
  }

  /** The query of the address bar. */
  query(): string {
    return decodeURIComponent(new URL(this.page.url()).search);
  }
}
