import fs from 'node:fs';
import { compileKernel } from './compiler.ts';
const source = fs.readFileSync(new URL('../lexer.kernel.ts', import.meta.url), 'utf8');
const bytes = compileKernel(source, 2);
fs.writeFileSync(new URL('../lexer.code.ts', import.meta.url), `// Made of lexer.kernel.ts\nexport const lexerCode =\n  '${Buffer.from(bytes).toString('base64')}';\n`);
console.log(bytes.length);
