// Apps of the published SDK, made for the server of a suite as an application makes them.
import { StackClientApp } from "@stackframe/js";

/** A client app of the server's project that keeps its tokens in memory. */
export const clientApp = (server, options = {}) =>
  new StackClientApp({
    baseUrl: server.base_url,
    projectId: server.project_id,
    publishableClientKey: server.publishable_client_key,
    tokenStore: "memory",
    ...options,
  });
