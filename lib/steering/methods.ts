/**
 * Names of the methods that make a vector.
 * @module
 */

/** Methods that make a vector from activations of both sides. */
export const EXTRACTION_METHODS = ["mean_diff", "probe", "pca_diff", "gradient", "random_baseline"] as const;
/** A method that makes a vector from activations. */
export type ExtractionMethod = typeof EXTRACTION_METHODS[number];

/** Where vectors come from: the extraction methods, other vectors, or a file of another program. */
export const METHODS = [...EXTRACTION_METHODS, "ensemble", "imported"] as const;
/** Where a vector comes from. */
export type Method = typeof METHODS[number];
