/** A component that is drawn again only when one of its props is another value. */
import { Component, type ComponentType, type FunctionComponent, h, type VNode } from 'preact';

export function memo<Props extends object>(draw: FunctionComponent<Props>): ComponentType<Props> {
  return class Memo extends Component<Props> {
    override shouldComponentUpdate(next: Readonly<Props>): boolean {
      const known = this.props as Readonly<Props>;
      for (const name of Object.keys(next) as (keyof Props)[]) if (next[name] !== known[name]) return true;
      return false;
    }

    override render(): VNode {
      // biome-ignore lint/suspicious/noExplicitAny: the two components have the same props by construction
      return h(draw as FunctionComponent<any>, this.props);
    }
  };
}
