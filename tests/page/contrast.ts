// The contrast of every text on a page, as WCAG 2 counts it.

import type { Page } from "playwright-core";

export interface MeasuredText {
  text: string;
  ratio: number;
}

/** Measures every visible text, and what the controls hold, against what lies behind it. */
export function contrastOfTexts(page: Page): Promise<MeasuredText[]> {
  return page.evaluate(() => {
    const channels = (color: string): number[] => {
      const numbers = color.match(/[\d.]+/g)?.map(Number) ?? [];
      if (!color.startsWith("rgb") || numbers.length < 3) throw new Error(`not rgb: ${color}`);
      return numbers;
    };
    const luminance = (color: string): number => {
      const [red = 0, green = 0, blue = 0] = channels(color).map((value) => {
        const part = value / 255;
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const behind = (element: Element): string => {
      for (let at: Element | null = element; at !== null; at = at.parentElement) {
        const { backgroundColor, opacity } = getComputedStyle(at);
        const alpha = channels(backgroundColor)[3] ?? 1;
        if (opacity !== "1" || (alpha > 0 && alpha < 1)) throw new Error("see-through colours");
        if (alpha === 1) return backgroundColor;
      }
      return "rgb(255, 255, 255)";
    };
    const measure = (element: Element, text: string) => {
      const front = luminance(getComputedStyle(element).color);
      const back = luminance(behind(element));
      const ratio = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
      return { text: text.trim().slice(0, 60), ratio };
    };

    const measured = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const { parentElement: element, textContent } = walker.currentNode;
      if (element?.checkVisibility() && textContent?.trim()) {
        measured.push(measure(element, textContent));
      }
    }
    for (const control of document.querySelectorAll("input, textarea")) {
      if (control.checkVisibility()) measured.push(measure(control, `#${control.id}`));
    }
    return measured;
  });
}
