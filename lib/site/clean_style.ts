/**
 * Inline styles that others wrote, made harmless.
 * @module
 */

const PROPERTIES =
  /^(background(-color)?|border(-(collapse|spacing|color|radius|top|bottom|left|right|width|style))?|color|display|fill|font(-(family|size|style|weight|variant))?|height|letter-spacing|line-height|(margin|padding)(-(top|bottom|left|right))?|max-(width|height)|min-width|opacity|overflow|stroke(-width)?|text-(align|decoration|indent|anchor)|vertical-align|white-space|width|word-break|overflow-wrap)$/;
const VALUE = /^[\w\s.,#%'"+-]*$|^[\w\s.,#%'"+-]*\b(rgba?|hsla?|calc)\([\d\s.,%+-]*\)[\w\s.,#%'"+-]*$/;

/** The declarations that can neither load anything nor leave their place. */
export function cleanStyle(style: string): string {
  return style.split(";").flatMap((declaration) => {
    const at = declaration.indexOf(":");
    const property = declaration.slice(0, at).trim().toLowerCase();
    const value = declaration.slice(at + 1).trim();
    const fine = at > 0 && PROPERTIES.test(property) && VALUE.test(value) && !/url/i.test(value) &&
      (property !== "display" || /^(none|block|inline(-block)?|table(-(row|cell))?)$/.test(value));
    return fine ? [`${property}:${value}`] : [];
  }).join(";");
}
