// bench/peers/duckdb.mjs: DuckDB in this process, all cores, a database file; results stay columnar.
import { DuckDBInstance } from '@duckdb/node-api';
import { iso, serve } from './peer.mjs';

const instance = await DuckDBInstance.create(process.argv[2]);
const connection = await instance.connect();
await connection.run("SET TimeZone = 'UTC'");

const cell = (value) => {
  if (value === null) return '';
  if (typeof value === 'object' && 'micros' in value) return iso(value.micros / 1000n);
  return String(value);
};

await serve({
  async load(path) {
    await connection.run(`CREATE TABLE cpu AS SELECT make_timestamp(time * 1000) AS time,
      * EXCLUDE (time) FROM read_csv('${path}', header = true, types = {
        'time': 'BIGINT', 'hostname': 'VARCHAR', 'region': 'VARCHAR', 'datacenter': 'VARCHAR',
        'rack': 'VARCHAR', 'os': 'VARCHAR', 'arch': 'VARCHAR', 'team': 'VARCHAR',
        'service': 'VARCHAR', 'service_version': 'VARCHAR', 'service_environment': 'VARCHAR',
        'usage_user': 'DOUBLE', 'usage_system': 'DOUBLE', 'usage_idle': 'DOUBLE',
        'usage_nice': 'DOUBLE', 'usage_iowait': 'DOUBLE', 'usage_irq': 'DOUBLE',
        'usage_softirq': 'DOUBLE', 'usage_steal': 'DOUBLE', 'usage_guest': 'DOUBLE',
        'usage_guest_nice': 'DOUBLE'})`);
    await connection.run('CHECKPOINT');
  },
  async run(sql) {
    // Every chunk is fetched; no cell is turned into a JavaScript value.
    const result = await connection.run(sql);
    await result.fetchAllChunks();
  },
  async rows(sql) {
    const reader = await connection.runAndReadAll(sql);
    return reader.getRows().map((row) => row.map(cell));
  },
});
connection.closeSync();
