// bench/peers/peer.mjs: what a peer's program and bench/compare say to each other, one JSON object a
// line: {"load": path, "rows": n} loads the CSV; {"sql": [...], "runs": n} answers {"ms": [...]};
// {"sql": [...], "rows": true} answers {"rows": [...]} with every cell as text, "" for NULL.
import readline from 'node:readline';

const iso = (ms) => new Date(Number(ms)).toISOString().replace('T', ' ').replace('Z', '');
export const textOf = (value) => {
  if (value === null || value === undefined) return '';
  if (value instanceof Date) return iso(value.getTime());
  return String(value);
};
export { iso };

/// `peer` has load(path), run(sql) -> anything, to the last row, and rows(sql) -> rows of cells.
export async function serve(peer) {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const request = JSON.parse(line);
    let reply;
    try {
      if (request.load) {
        const begin = performance.now();
        await peer.load(request.load);
        reply = { seconds: (performance.now() - begin) / 1000 };
      } else if (request.rows) {
        const answers = [];
        for (const sql of request.sql) answers.push(await peer.rows(sql));
        reply = { rows: answers };
      } else {
        const ms = [];
        for (let i = 0; i < request.runs; ++i) {
          const sql = request.sql[i % request.sql.length];
          const begin = performance.now();
          await peer.run(sql);
          ms.push(performance.now() - begin);
        }
        reply = { ms };
      }
    } catch (error) {
      reply = { error: String(error) };
    }
    process.stdout.write(JSON.stringify(reply) + '\n');
  }
  await peer.close?.();
}
