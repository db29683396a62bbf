// Points of players: POST /players/7/points with {"points": 10}. VARIANT says how they are added.
//
// README.md draws the races. What a variant does is in postgres.js and valkey.js.

import http from 'node:http';

import { Redis } from 'ioredis';
import pg from 'pg';

import * as postgres from './postgres.js';
import * as valkey from './valkey.js';

const { VARIANT, DATABASE_URL, REDIS_URL, PORT = '8080', HOST = '127.0.0.1' } = process.env;

const pool = new pg.Pool({ connectionString: DATABASE_URL });
pool.on('error', (error) => console.error('postgres:', error.message));
const redis = new Redis(REDIS_URL);
redis.on('error', (error) => console.error('valkey:', error.message));

function adding(variant) {
  if (Object.hasOwn(postgres.variants, variant)) {
    return (...award) => postgres.variants[variant](pool, ...award);
  }
  if (Object.hasOwn(valkey.variants, variant)) {
    return (...award) => valkey.variants[variant](redis, ...award);
  }
  throw new Error(`VARIANT is ${variant}, and there is none of that name`);
}

const addPoints = adding(VARIANT);

async function bodyOf(request) {
  let text = '';
  for await (const part of request) text += part;
  return JSON.parse(text);
}

async function answer(request) {
  // Says that the process serves. What is behind it may be down, and this still be the one to ask.
  if (request.method === 'GET' && request.url === '/healthz') return [200, { status: 'ok' }];
  const award = request.url.match(/^\/players\/(\d+)\/points$/);
  if (request.method !== 'POST' || !award) return [404, { error: 'no such thing' }];
  const { points } = await bodyOf(request);
  if (!Number.isInteger(points)) return [422, { error: 'points: a whole number is needed' }];
  const key = request.headers['idempotency-key'];
  return [200, { points: await addPoints(Number(award[1]), points, key) }];
}

const server = http.createServer(async (request, response) => {
  let status, content;
  try {
    [status, content] = await answer(request);
  } catch (error) {
    console.error(error);
    [status, content] = [500, { error: 'not known whether that was done' }];
  }
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(content));
});

server.listen(Number(PORT), HOST);
process.once('SIGTERM', () => process.exit(0));
