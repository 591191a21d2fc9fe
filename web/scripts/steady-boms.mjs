// Gives CycloneDX bills of materials a time that does not change from build to build,
// and no serial number, which is optional. npm calls the page after its folder.
//   node web/scripts/steady-boms.mjs TIME FILE...

import { readFileSync, writeFileSync } from 'node:fs';

const [time, ...files] = process.argv.slice(2);
for (const file of files) {
  const { serialNumber, ...bom } = JSON.parse(readFileSync(file, 'utf8'));
  bom.metadata.timestamp = time || undefined;
  bom.metadata.component.name = 'mqttwasm';
  writeFileSync(file, `${JSON.stringify(bom, null, 2)}\n`);
}
