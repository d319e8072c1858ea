/** Puts the parents' page together: the listener, the office's words, the records. */

import type { Config } from './config.ts';
import type { Log } from './edge/log.ts';
import type { Endpoints } from './edge/http/endpoints.ts';
import { type PublicServer, startPublicServer } from './edge/public-server.ts';
import { parentPage, STYLE_HASH, thanksPage, unknownLink } from './outpass/parent/page.ts';
import { TOKEN_FORM, tokenHash } from './outpass/parent/token.ts';
import { answerParent } from './store/sqlite/decisions.ts';
import type { SqliteOffice } from './store/sqlite/office.ts';
import type { SqliteStore } from './store/sqlite/store.ts';

/** Serves the page where `--public` says; undefined where it says nothing. Throws where the address cannot be had. */
export async function serveParents({
  config,
  store,
  office,
  endpoints,
  log,
}: {
  config: Config;
  store: SqliteStore;
  office: SqliteOffice;
  endpoints: Endpoints;
  log: Log;
}): Promise<PublicServer | undefined> {
  const { public: address, appUrl, parentApproves } = config.settings;
  if (address === null) return undefined;
  const settings = await office.settings();
  const show = async (token: string) =>
    parentPage(TOKEN_FORM.test(token) ? await office.parentPage(tokenHash(token)) : undefined, settings);
  const server = await startPublicServer(
    address,
    {
      styleHash: STYLE_HASH,
      nothing: () => unknownLink(settings),
      show,
      async decide(token, answer) {
        if (!TOKEN_FORM.test(token)) return unknownLink(settings);
        const hash = tokenHash(token);
        // Looked at first: whoever sends what leads nowhere must not keep the database locked.
        if ((await office.parentPage(hash))?.state !== 'open') return show(token);
        const decision = answer === 'approve' ? 'parent_approved' : 'parent_denied';
        const found = await answerParent(store, office, hash, decision, parentApproves);
        const facts = found?.state === 'open' ? await office.parentPage(hash) : undefined;
        if (facts === undefined) return show(token);
        log.info({ outpass: facts.pass.reference, answer }, 'a parent answered');
        return thanksPage(facts, settings, decision);
      },
    },
    (error) => log.error({ err: error }, "the parents' page could not answer"),
    endpoints,
  );
  log.info(
    { address: server.address, links: `${appUrl === '' ? '(APP_URL is not set)' : appUrl}/parent/…` },
    "the parents' page is served",
  );
  return server;
}
