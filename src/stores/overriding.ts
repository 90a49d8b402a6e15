import type { Store } from './store.ts';

interface Layers {
  readonly store: Store;
  readonly methods: ReadonlyMap<PropertyKey, unknown>;
}

/** Of stores that are made here: one over another is one over the store beneath both, so that each call goes one way. */
const made = new WeakMap<Store, Layers>();

/** The store with some methods of its own: what is not named goes to `store`. */
export function overriding(over: Store, own: Partial<Store>): Store {
  const { store, methods: before } = made.get(over) ?? { store: over, methods: [] };
  // The adapters keep private fields, so that their methods must run on themselves.
  const methods = new Map<PropertyKey, unknown>([...before, ...Object.entries(own)]);
  const proxy = new Proxy(store, {
    get(target, key) {
      const known = methods.get(key);
      if (known !== undefined) return known;
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function') return value;
      const method: unknown = value.bind(target);
      methods.set(key, method);
      return method;
    },
  });
  made.set(proxy, { store, methods: new Map(methods) });
  return proxy;
}
