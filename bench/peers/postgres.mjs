// bench/peers/postgres.mjs: PostgreSQL over its socket; indexes as the Time Series Benchmark Suite makes.
import pg from 'pg';
import { serve, textOf } from './peer.mjs';

const [host, port] = process.argv.slice(2);
const client = new pg.Client({ host, port: Number(port), user: 'postgres', database: 'postgres' });
await client.connect();
await client.query("SET TimeZone = 'UTC'");
pg.types.setTypeParser(1114, (text) => new Date(text.replace(' ', 'T') + 'Z'));

const kTags = ['hostname', 'region', 'datacenter', 'rack', 'os', 'arch', 'team', 'service',
  'service_version', 'service_environment'];
const kMeasures = ['user', 'system', 'idle', 'nice', 'iowait', 'irq', 'softirq', 'steal', 'guest',
  'guest_nice'].map((name) => `usage_${name}`);

await serve({
  async load(path) {
    const columns = [...kTags.map((name) => `${name} text`),
      ...kMeasures.map((name) => `${name} double precision`)].join(', ');
    await client.query(`CREATE UNLOGGED TABLE raw (time bigint, ${columns})`);
    await client.query(`COPY raw FROM '${path}' WITH (FORMAT csv, HEADER true)`);
    await client.query(`CREATE TABLE cpu AS SELECT
      to_timestamp(time / 1000.0) AT TIME ZONE 'UTC' AS time, ${[...kTags, ...kMeasures].join(', ')}
      FROM raw`);
    await client.query('DROP TABLE raw');
    await client.query('CREATE INDEX ON cpu (hostname, time DESC)');
    await client.query('CREATE INDEX ON cpu (time DESC)');
    await client.query('VACUUM ANALYZE cpu');
  },
  run: (sql) => client.query({ text: sql, rowMode: 'array' }),
  async rows(sql) {
    const result = await client.query({ text: sql, rowMode: 'array' });
    return result.rows.map((row) => row.map(textOf));
  },
  close: () => client.end(),
});
