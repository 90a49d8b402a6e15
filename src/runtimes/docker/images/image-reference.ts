const imageId = /^(?:sha256:)?[0-9a-f]{64}$/;

/** Loosely: the engine knows the grammar. But it becomes part of a path, and must not become another path. */
const harmless = /^[A-Za-z0-9][A-Za-z0-9._:@-]*(?:\/[A-Za-z0-9][A-Za-z0-9._:@-]*)*$/;
const longest = 4096;

/** Whether it can be a reference or an id of an image. */
export function isImageReference(image: string): boolean {
  return image.length <= longest && harmless.test(image);
}

/** What `image` asks a registry for; undefined where it names an image that only the engine can have. */
export function pulledAs(image: string): string | undefined {
  if (imageId.test(image)) return undefined;
  if (image.includes('@')) return image;
  // A colon before the last slash is a registry's port. Without a tag the engine would fetch every tag there is.
  const tagged = image.lastIndexOf(':') > image.lastIndexOf('/');
  return tagged ? image : `${image}:latest`;
}
