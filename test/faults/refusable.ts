import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A way to a server that can be closed: then connections are refused, as by a machine on which nothing listens. */
export interface Refusable {
  url: string;
  refuse(): void;
}

export async function startRefusable(target: string): Promise<Refusable> {
  const { port, pathname } = new URL(target);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const upstream = connect(Number(port), '127.0.0.1');
    for (const end of [socket, upstream]) {
      sockets.add(end);
      end
        .on('error', () => {})
        .on('close', () => {
          sockets.delete(end);
          socket.destroy();
          upstream.destroy();
        });
    }
    socket.pipe(upstream).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${pathname === '/' ? '' : pathname}`,
    refuse() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
