/** What a reader sees and does on the page of one execution. */
import type { Locator, Page } from 'playwright-core';

export class ExecutionPage {
  readonly page: Page;
  readonly view: Locator;
  readonly chart: Locator;
  readonly timeline: Locator;
  readonly events: Locator;
  readonly output: Locator;
  readonly panes: Locator;
  readonly slider: Locator;
  /** Says that what is shown is the past. */
  readonly past: Locator;

  constructor(page: Page) {
    this.page = page;
    this.view = page.locator('article.execution');
    this.chart = page.getByRole('region', { name: /chart$/ });
    this.timeline = page.getByRole('region', { name: 'Timeline' });
    this.events = page.getByRole('region', { name: 'Events' });
    this.output = page.getByRole('region', { name: 'Output' });
    this.panes = page.getByRole('region', { name: 'Details' });
    this.slider = page.getByRole('slider', { name: 'Event of the log' });
    this.past = page.getByText('The past, read-only.');
  }

  /** The state that is lit in the chart, once it is that one. */
  async lit(path: string): Promise<void> {
    const told = new RegExp(`^State ${path.replace('.', '\\.')}( ×\\d+)?: it (is|was) here`);
    await this.chart.locator('.state[data-current]').and(this.page.getByLabel(told)).waitFor();
  }

  /** The drawn way between two states. */
  way(from: string, to: string): Locator {
    return this.chart.locator(`.way[aria-label*="from ${from} to ${to}, taken"]`);
  }

  /** The rows of the event list that are on screen. */
  event(sequence: number): Locator {
    return this.events.locator(`#event-${sequence}`);
  }

  async eventCount(): Promise<number> {
    const text = await this.events.getByRole('heading').textContent();
    return Number(/([\d,]+)\D*$/.exec(text ?? '')?.[1]?.replaceAll(',', ''));
  }

  /** Lines of output that the page has. */
  async lines(): Promise<number> {
    const text = await this.output.locator('.panel-foot').textContent();
    return Number(/^([\d,]+) line/.exec(text ?? '')?.[1]?.replaceAll(',', ''));
  }

  outputText(): Promise<string[]> {
    return this.output.locator('.output-text').allTextContents();
  }

  /** What can be done with it beyond the buttons. */
  async inMenu(name: string | RegExp): Promise<Locator> {
    await this.view.getByRole('button', { name: /^(More|Download)$/ }).click();
    return this.view.getByRole('menuitem', { name });
  }

  pane(name: string): Promise<void> {
    return this.panes.getByRole('tab', { name }).click();
  }
}
