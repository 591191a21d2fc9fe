/** Ten hues, of which each tells one filter or connection from another; at one lightness, for either scheme. */
const hues = [180, 255, 45, 320, 130, 15, 220, 85, 290, 350];

export const hue = (colour: number) => ({ '--hue': String(hues[colour]) });
