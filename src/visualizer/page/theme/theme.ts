/** Light, dark, or what the reader's system has. */
import { effect, signal } from '@preact/signals';

export type Theme = 'auto' | 'light' | 'dark';

const place = 'spear.theme';

export const theme = signal<Theme>(remembered());

/** Shows the theme, and remembers it with every change. */
export function applyTheme(): () => void {
  return effect(() => {
    const root = document.documentElement;
    if (theme.value === 'auto') delete root.dataset.theme;
    else root.dataset.theme = theme.value;
    try {
      localStorage.setItem(place, theme.value);
    } catch {
      // A browser that keeps nothing for this page shows the theme all the same.
    }
  });
}

export function nextTheme(): void {
  const next = { auto: 'light', light: 'dark', dark: 'auto' } as const;
  theme.value = next[theme.value];
}

function remembered(): Theme {
  try {
    const word = localStorage.getItem(place);
    return word === 'light' || word === 'dark' ? word : 'auto';
  } catch {
    return 'auto';
  }
}
