// An MQTT broker for the tests: node aedes.mjs PORT WEBSOCKET-PORT USER PASSWORD
//
// It knows one user, who may use everything but `forbidden/#`. What it keeps it forgets when it ends.

import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { Aedes } from 'aedes';
import { WebSocketServer, createWebSocketStream } from 'ws';

const [port, websocketPort, user, password] = process.argv.slice(2);
const forbidden = (topic) => topic.startsWith('forbidden/');

const broker = await Aedes.createBroker();
broker.authenticate = (_client, name, secret, done) => {
  const known = name === user && secret?.toString() === password;
  done(known ? null : Object.assign(new Error('unknown'), { returnCode: 4 }), known);
};
broker.authorizeSubscribe = (_client, subscription, done) =>
  done(null, forbidden(subscription.topic) ? null : subscription);
broker.authorizePublish = (_client, packet, done) =>
  done(forbidden(packet.topic) ? new Error('forbidden') : null);

createServer(broker.handle).listen(Number(port), '127.0.0.1');
const http = createHttpServer();
new WebSocketServer({ server: http }).on('connection', (socket, request) =>
  broker.handle(createWebSocketStream(socket), request),
);
http.listen(Number(websocketPort), '127.0.0.1');
