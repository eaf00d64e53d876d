// Inline data and addresses of images and documents: OpenAI writes both as one URL.
import type { MediaPart } from './request.ts';

export function sourceFromUrl(url: string): MediaPart['source'] {
  const [, mediaType, base64] = /^data:([^;,]*);base64,(.*)$/is.exec(url) ?? [];
  return mediaType !== undefined && base64 !== undefined ? { mediaType, base64 } : { url };
}

export function urlFromSource(source: MediaPart['source']): string {
  return 'url' in source ? source.url : `data:${source.mediaType};base64,${source.base64}`;
}
