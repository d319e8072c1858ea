/** What `passito init` writes. */

import { TYPES } from './init-types.ts';

export const FILES: Record<string, string> = {
  'passito.config.ts': `// Settings of passito. Each can also be set in .env or in the environment, as PASSITO_MIN_WORKERS and so on.
export default {
  // minWorkers: 1,
  // maxWorkers: 10,
  // TIME_ZONE: 'Asia/Kolkata',

  // Jobs that are programs, and options for jobs of the folder jobs/.
  jobs: {
    // SyncAttendance: { command: ['/usr/bin/php', 'sync.php'], timeout: '10m' },
  },
};
`,
  '.env': `# Settings that differ between machines, and passwords.
# ADMIN_EMAIL=admin@example.com
# SMTP_HOST=smtp.example.com
# SMTP_PORT=587
# SMTP_USER=
# SMTP_PASS=
# MAILER_FROM=Gate Office <gate@example.com>
# TIME_ZONE=Asia/Kolkata
`,
  'jobs/Hello.ts': `import { defineJob } from 'passito';

export default defineJob({
  timeout: '30s',
  maxAttempts: 3,
  async handle(payload: { name: string }, { log }) {
    log.info(\`Hello, \${payload.name}\`);
    return { greeted: payload.name };
  },
});
`,
  'passito.d.ts': TYPES,
  'tsconfig.json': `{
  "compilerOptions": {
    "target": "es2024",
    "module": "nodenext",
    "strict": true,
    "noEmit": true,
    "erasableSyntaxOnly": true,
    "allowImportingTsExtensions": true,
    "skipLibCheck": true
  },
  "include": ["jobs", "passito.config.ts", "passito.d.ts"]
}
`,
};
