/** The style of what has a colour of its own; its lightness suits either scheme. Degrees. */
export const hue = (degrees: number) => ({ '--hue': String(degrees) });
