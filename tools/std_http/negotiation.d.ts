export type Request = { headers: { get(key: string): string | null } };
export function accepts(request: Request): string[];
export function accepts(request: Request, ...types: string[]): string | undefined;
export function acceptsEncodings(request: Request): string[];
export function acceptsEncodings(request: Request, ...encodings: string[]): string | undefined;
export function acceptsLanguages(request: Request): string[];
export function acceptsLanguages(request: Request, ...langs: string[]): string | undefined;
