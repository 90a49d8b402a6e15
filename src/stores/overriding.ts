import type { Store } from './store.ts';

/** The store with some methods of its own: what is not named goes to `store`. */
export function overriding(store: Store, own: Partial<Store>): Store {
  // The adapters keep private fields, so that their methods must run on themselves.
  const methods = new Map<PropertyKey, unknown>(Object.entries(own));
  return new Proxy(store, {
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
}
