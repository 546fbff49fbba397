// Builds js/create/dist, the content of the npm package `create-sillok`: the program in one file, and the templates. The
// dependencies of a template have the versions that this repository uses.

import { copyFileSync, cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const json = (path) => JSON.parse(readFileSync(at(path), "utf8"));

rmSync(at("dist"), { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: [at("ts/create.ts")],
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node22.18",
  minifySyntax: true,
  minifyWhitespace: true,
  lineLimit: 1000,
  legalComments: "none",
  banner: { js: "#!/usr/bin/env node" },
  outfile: at("dist/create.js"),
  absWorkingDir: at("../.."),
  metafile: true,
  logLevel: "warning",
});

/** The licences of the bundled packages. They demand that their text goes along. */
const bundled = Object.keys(metafile.inputs).flatMap(
  (path) => /^node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? [],
);
const licences = [...new Set(bundled)].toSorted().map((folder) => {
  const file = readdirSync(at(`../../${folder}`)).find((name) => /^licen[cs]e/i.test(name));
  if (file === undefined) throw new Error(`${folder} has no licence`);
  const { name, version } = json(`../../${folder}/package.json`);
  return `${name} ${version}\n\n${readFileSync(at(`../../${folder}/${file}`), "utf8").trim()}\n`;
});
writeFileSync(at("dist/LICENSES-OF-OTHERS.txt"), licences.join(`\n${"-".repeat(70)}\n\n`));

const { version } = json("package.json");
const pinned = { ...json("../../package.json").devDependencies, sillok: version };
/** Fills the versions in. In the files of a template, each version is `*`. */
const filled = (dependencies) =>
  Object.fromEntries(
    Object.entries(dependencies).map(([name, range]) => {
      if (range !== "*") throw new Error(`${name} has the version ${range}: write *`);
      if (pinned[name] === undefined)
        throw new Error(`${name} is not a package of this repository`);
      return [name, `^${pinned[name]}`];
    }),
  );
cpSync(at("templates"), at("dist/templates"), { recursive: true });
for (const template of readdirSync(at("dist/templates"))) {
  const path = `dist/templates/${template}/package.json`;
  const manifest = json(path);
  const { dependencies, devDependencies } = manifest;
  const whole = {
    ...manifest,
    dependencies: filled(dependencies),
    devDependencies: filled(devDependencies),
  };
  writeFileSync(at(path), `${JSON.stringify(whole, null, 2)}\n`);
}

for (const licence of ["LICENSE-MIT", "LICENSE-APACHE"]) {
  copyFileSync(at(`../../${licence}`), at(licence));
}
