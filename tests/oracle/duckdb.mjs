// Answers statements with DuckDB: one JSON string a line in, one JSON object a line out,
// {types: [...], rows: [[...]]} or {error: text}. Values are as DuckDB's JSON form has them: whole
// numbers beyond 2^53 and points in time are text.
import readline from 'node:readline';
import {DuckDBInstance} from '@duckdb/node-api';

const instance = await DuckDBInstance.create(':memory:', {threads: '1'});
const connection = await instance.connect();
for await (const line of readline.createInterface({input: process.stdin})) {
  let answer;
  try {
    const reader = await connection.runAndReadAll(JSON.parse(line));
    answer = {types: reader.columnTypes().map(String), rows: reader.getRowsJson()};
  } catch (error) {
    answer = {error: String(error.message ?? error)};
  }
  process.stdout.write(JSON.stringify(answer) + '\n');
}
