// The AWS SDK for JavaScript v3 against the server, in the two ways in which it is pointed at one:
// the `endpoint` option, which turns endpoint discovery off, and AWS_ENDPOINT_URL, which leaves it on.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import * as Query from '@aws-sdk/client-timestream-query';
import * as Write from '@aws-sdk/client-timestream-write';

import { startServer } from './harness.mjs';

const REJECTED = 'One or more records have been rejected. See RejectedRecords for details.';

for (const discovery of [false, true]) {
  describe(discovery ? 'AWS_ENDPOINT_URL, discovery on' : 'endpoint option, discovery off', () => {
    const DatabaseName = 'javascript';
    const now = Date.now();
    let server;
    let write;
    let query;
    let tableNumber = 0;

    before(async () => {
      server = await startServer();
      const options = { region: 'us-east-1', credentials: server.credentials, maxAttempts: 1 };
      if (discovery) {
        process.env.AWS_ENDPOINT_URL = server.url;
      } else {
        delete process.env.AWS_ENDPOINT_URL;
        options.endpoint = server.url;
      }
      write = new Write.TimestreamWriteClient(options);
      query = new Query.TimestreamQueryClient(options);
      await write.send(new Write.CreateDatabaseCommand({ DatabaseName }));
    });

    after(async () => {
      delete process.env.AWS_ENDPOINT_URL;
      write.destroy();
      query.destroy();
      assert.equal(await server.stop(), 0);
    });

    async function makeTable(more = {}) {
      tableNumber += 1;
      const TableName = `table-${tableNumber}`;
      await write.send(new Write.CreateTableCommand({ DatabaseName, TableName, ...more }));
      return TableName;
    }

    function record(value, time = now, more = {}) {
      return {
        Dimensions: [{ Name: 'host', Value: 'a' }], MeasureName: 'm', MeasureValue: String(value),
        MeasureValueType: 'DOUBLE', Time: String(time), ...more,
      };
    }

    const put = (TableName, Records, CommonAttributes) =>
      write.send(new Write.WriteRecordsCommand({ DatabaseName, TableName, Records, CommonAttributes }));

    const ask = (QueryString, more = {}) => query.send(new Query.QueryCommand({ QueryString, ...more }));

    test('DescribeEndpoints gives this SDK the bare host', async () => {
      for (const answer of [await write.send(new Write.DescribeEndpointsCommand({})),
        await query.send(new Query.DescribeEndpointsCommand({}))]) {
        assert.deepEqual(answer.Endpoints, [{ Address: '127.0.0.1', CachePeriodInMinutes: 1440 }]);
      }
    });

    test('a database and a table from beginning to end', async () => {
      const name = { DatabaseName: 'whole-life' };
      const made = await write.send(new Write.CreateDatabaseCommand({ ...name, Tags: [{ Key: 'k', Value: 'v' }] }));
      assert.equal(made.Database.Arn, 'arn:aws:timestream:us-east-1:000000000000:database/whole-life');
      assert.ok(Math.abs(made.Database.CreationTime - Date.now()) < 60_000);
      const key = { Type: 'DIMENSION', Name: 'host', EnforcementInRecord: 'OPTIONAL' };
      const table = await write.send(new Write.CreateTableCommand({
        ...name, TableName: 'table', Schema: { CompositePartitionKey: [key] },
        RetentionProperties: { MemoryStoreRetentionPeriodInHours: 24, MagneticStoreRetentionPeriodInDays: 7 },
        MagneticStoreWriteProperties: { EnableMagneticStoreWrites: true },
      }));
      assert.equal(table.Table.TableStatus, 'ACTIVE');
      assert.deepEqual(table.Table.Schema.CompositePartitionKey, [key]);
      const required = { ...key, EnforcementInRecord: 'REQUIRED' };
      const updated = await write.send(new Write.UpdateTableCommand({
        ...name, TableName: 'table', Schema: { CompositePartitionKey: [required] },
      }));
      assert.deepEqual(updated.Table.Schema.CompositePartitionKey, [required]);
      await assert.rejects(write.send(new Write.UpdateTableCommand({
        ...name, TableName: 'table', Schema: { CompositePartitionKey: [{ ...key, Name: 'other' }] },
      })), Write.ValidationException);
      const described = await write.send(new Write.DescribeTableCommand({ ...name, TableName: 'table' }));
      assert.deepEqual(described.Table, updated.Table);
      const tags = await write.send(new Write.ListTagsForResourceCommand({ ResourceARN: made.Database.Arn }));
      assert.deepEqual(tags.Tags, [{ Key: 'k', Value: 'v' }]);
      await write.send(new Write.TagResourceCommand({ ResourceARN: made.Database.Arn, Tags: [{ Key: 'l', Value: 'w' }] }));
      await write.send(new Write.UntagResourceCommand({ ResourceARN: made.Database.Arn, TagKeys: ['k'] }));
      const left = await query.send(new Query.ListTagsForResourceCommand({ ResourceARN: made.Database.Arn }));
      assert.deepEqual(left.Tags, [{ Key: 'l', Value: 'w' }]);
      await assert.rejects(write.send(new Write.DeleteDatabaseCommand(name)), Write.ValidationException);
      await write.send(new Write.DeleteTableCommand({ ...name, TableName: 'table' }));
      await write.send(new Write.DeleteDatabaseCommand(name));
    });

    test('writes of every type are read back', async () => {
      const TableName = await makeTable();
      const answer = await put(TableName, [
        { MeasureValueType: 'MULTI', MeasureName: 'many', MeasureValues: [
          { Name: 'd', Value: '1.5', Type: 'DOUBLE' }, { Name: 'i', Value: '-7', Type: 'BIGINT' },
          { Name: 'v', Value: 'Grüße 雪', Type: 'VARCHAR' }, { Name: 'b', Value: 'true', Type: 'BOOLEAN' },
          { Name: 't', Value: '1600000000000', Type: 'TIMESTAMP' }] },
      ], { Time: String(now), Dimensions: [{ Name: 'host', Value: 'a' }] });
      assert.deepEqual(answer.RecordsIngested, { Total: 1, MemoryStore: 1, MagneticStore: 0 });
      const page = await ask(`SELECT host, d, i, v, b, t FROM "${DatabaseName}"."${TableName}"`);
      assert.deepEqual(page.Rows[0].Data.map((datum) => datum.ScalarValue),
        ['a', '1.5', '-7', 'Grüße 雪', 'true', '2020-09-13 12:26:40.000000000']);
      assert.deepEqual(page.ColumnInfo.map((column) => [column.Name, column.Type.ScalarType]),
        [['host', 'VARCHAR'], ['d', 'DOUBLE'], ['i', 'BIGINT'], ['v', 'VARCHAR'], ['b', 'BOOLEAN'], ['t', 'TIMESTAMP']]);
    });

    test('rejected records come typed, with index, reason and existing version', async () => {
      const TableName = await makeTable();
      await put(TableName, [record(1, now, { Version: 5 })]);
      await assert.rejects(
        put(TableName, [record(2, now + 1), record(3, now, { Version: 4 }), record(4, now, { Version: 5 }),
          record(5, now - 1e10)]),
        (error) => {
          assert.ok(error instanceof Write.RejectedRecordsException);
          assert.equal(error.name, 'RejectedRecordsException');
          assert.equal(error.message, REJECTED);
          assert.equal(error.$metadata.httpStatusCode, 419);
          assert.match(error.$metadata.requestId, /^[A-Z2-7]{26}$/);
          assert.deepEqual(error.RejectedRecords.map((r) => [r.RecordIndex, r.ExistingVersion]),
            [[1, 5], [2, undefined], [3, undefined]]);
          assert.match(error.RejectedRecords[0].Reason, /^The record version 4 is lower than the existing version 5\./);
          return true;
        });
      const page = await ask(`SELECT measure_value::double FROM "${DatabaseName}"."${TableName}" ORDER BY time`);
      assert.deepEqual(page.Rows.map((row) => row.Data[0].ScalarValue), ['1.0', '2.0']);
    });

    test('errors come typed, with status and message', async () => {
      const cases = [
        [() => write.send(new Write.CreateDatabaseCommand({ DatabaseName })), Write.ConflictException, 409, /./],
        [() => write.send(new Write.DescribeDatabaseCommand({ DatabaseName: 'absent' })),
          Write.ResourceNotFoundException, 404, /^The database absent does not exist\.$/],
        [() => write.send(new Write.CreateDatabaseCommand({ DatabaseName: 'a b' })),
          Write.ValidationException, 400, /^1 validation error detected: Value 'a b' at 'databaseName'/],
        [() => put('absent', [record(1)]), Write.ResourceNotFoundException, 404, /^The table absent does not exist\.$/],
        [() => ask('SELECT nothing'), Query.ValidationException, 400, /^line 1:8: Column 'nothing' does not exist$/],
        [() => ask('SELECT 1 / 0'), Query.QueryExecutionException, 400, /./],
        [() => query.send(new Query.CancelQueryCommand({ QueryId: 'UNKNOWN' })), Query.ValidationException, 400, /./],
      ];
      for (const [call, type, status, text] of cases) {
        await assert.rejects(call(), (error) => {
          assert.ok(error instanceof type, `${error}`);
          assert.equal(error.$metadata.httpStatusCode, status);
          assert.match(error.message, text);
          return true;
        });
      }
    });

    test('a wrong secret is told', async () => {
      const credentials = { ...server.credentials, secretAccessKey: 'wrong' };
      const stranger = new Write.TimestreamWriteClient({ region: 'us-east-1', endpoint: server.url, credentials, maxAttempts: 1 });
      await assert.rejects(stranger.send(new Write.ListDatabasesCommand({})),
        (error) => error.name === 'InvalidSignatureException');
      stranger.destroy();
    });

    test('queries come in pages', async () => {
      const TableName = await makeTable();
      for (let first = 0; first < 300; first += 100) {
        await put(TableName, Array.from({ length: 100 }, (_, i) => record(first + i, now - first - i)));
      }
      const QueryString = `SELECT measure_value::double AS v FROM "${DatabaseName}"."${TableName}" ORDER BY time DESC`;
      const values = [];
      const ids = new Set();
      for await (const page of Query.paginateQuery({ client: query, pageSize: 70 }, { QueryString })) {
        assert.ok(page.Rows.length <= 70);
        assert.deepEqual(page.ColumnInfo, [{ Name: 'v', Type: { ScalarType: 'DOUBLE' } }]);
        ids.add(page.QueryId);
        values.push(...page.Rows.map((row) => Number(row.Data[0].ScalarValue)));
      }
      assert.equal(ids.size, 1);
      assert.deepEqual(values, Array.from({ length: 300 }, (_, i) => i));
    });

    test('lists come in pages', async () => {
      for (let i = 0; i < 5; i += 1) await write.send(new Write.CreateDatabaseCommand({ DatabaseName: `paged-${i}` }));
      const names = [];
      let NextToken;
      do {
        const page = await write.send(new Write.ListDatabasesCommand({ MaxResults: 2, NextToken }));
        names.push(...page.Databases.map((database) => database.DatabaseName));
        NextToken = page.NextToken;
      } while (NextToken);
      assert.deepEqual(names.filter((name) => name.startsWith('paged-')), [0, 1, 2, 3, 4].map((i) => `paged-${i}`));
    });

    test('every shape of a datum', async () => {
      const TableName = await makeTable();
      await put(TableName, [record(1, now), record(2, now + 1)]);
      const page = await ask(`SELECT CREATE_TIME_SERIES(time, measure_value::double) AS s, ARRAY[1, 2] AS a, ` +
        `ROW(1, 'x') AS r, CAST(NULL AS BIGINT) AS n FROM "${DatabaseName}"."${TableName}"`);
      const [series, array, row, none] = page.Rows[0].Data;
      assert.deepEqual(series.TimeSeriesValue.map((point) => point.Value.ScalarValue), ['1.0', '2.0']);
      assert.deepEqual(array.ArrayValue.map((item) => item.ScalarValue), ['1', '2']);
      assert.deepEqual(row.RowValue.Data.map((item) => item.ScalarValue), ['1', 'x']);
      assert.deepEqual(none, { NullValue: true });
      const types = page.ColumnInfo.map((column) => Object.keys(column.Type)[0]);
      assert.deepEqual(types, ['TimeSeriesMeasureValueColumnInfo', 'ArrayColumnInfo', 'RowColumnInfo', 'ScalarType']);
    });

    test('a cancelled query has no next page', async () => {
      const TableName = await makeTable();
      await put(TableName, Array.from({ length: 50 }, (_, i) => record(i, now - i)));
      const QueryString = `SELECT time FROM "${DatabaseName}"."${TableName}"`;
      const first = await ask(QueryString, { MaxRows: 10 });
      await query.send(new Query.CancelQueryCommand({ QueryId: first.QueryId }));
      await assert.rejects(ask(QueryString, { NextToken: first.NextToken }), Query.ConflictException);
    });

    test('PrepareQuery tells columns and parameters', async () => {
      const TableName = await makeTable();
      await put(TableName, [record(1)]);
      const answer = await query.send(new Query.PrepareQueryCommand({
        QueryString: `SELECT host FROM "${DatabaseName}"."${TableName}" WHERE measure_value::double > @least`, ValidateOnly: true,
      }));
      assert.deepEqual(answer.Columns.map((column) => [column.Name, column.TableName]), [['host', TableName]]);
      assert.equal(answer.Parameters.length, 1);
    });
  });
}
