// Plain JavaScript: Pulumi compiles a pack's TypeScript itself, and knows no .ts in an import's path.
// What is imported from here on Node loads, which strips the types.
import "./pack.ts";
