// Known holes in agents and MCP packages, as dated data with sources. Where sources disagree, the later fixed version stands here.

export interface Advisory {
  readonly id: string;
  readonly agent: string;
  /** Versions below this one have it. */
  readonly fixedIn: string;
  readonly says: string;
  readonly severity: 'medium' | 'high' | 'critical';
  /** `docs`: the fixed version comes from reports that were not checked against the vendor. */
  readonly confidence: 'verified' | 'docs';
}

/** Last checked 2026-11-22. */
export const advisories: readonly Advisory[] = [
  {
    id: 'CVE-2025-54794',
    agent: 'claude-code',
    fixedIn: '0.2.111',
    says: 'path restriction passed by a prefix of the directory name',
    severity: 'high',
    confidence: 'docs',
  },
  {
    id: 'CVE-2025-54795',
    agent: 'claude-code',
    fixedIn: '1.0.20',
    says: 'commands run past the approval',
    severity: 'high',
    confidence: 'docs',
  },
  {
    id: 'CVE-2025-59536',
    agent: 'claude-code',
    fixedIn: '1.0.111',
    says: 'a repository runs commands before the trust question',
    severity: 'high',
    confidence: 'verified',
  },
  {
    id: 'CVE-2026-21852',
    agent: 'claude-code',
    fixedIn: '2.0.65',
    says: 'a repository redirects the API address and takes the key',
    severity: 'high',
    confidence: 'verified',
  },
  {
    id: 'CVE-2026-25725',
    agent: 'claude-code',
    fixedIn: '2.1.2',
    says: 'the sandbox let a missing settings file be created, whose hooks then ran outside',
    severity: 'critical',
    confidence: 'docs',
  },
  {
    id: 'CVE-2025-61260',
    agent: 'codex',
    fixedIn: '0.23.0',
    says: "a repository's .env redirects the settings directory, and its MCP servers run",
    severity: 'critical',
    confidence: 'docs',
  },
  {
    id: 'CVE-2025-54135',
    agent: 'cursor',
    fixedIn: '1.3.9',
    says: 'a prompt writes mcp.json, and its server starts',
    severity: 'high',
    confidence: 'docs',
  },
  {
    id: 'CVE-2025-54136',
    agent: 'cursor',
    fixedIn: '1.3.0',
    says: 'an approved MCP server can be swapped later',
    severity: 'high',
    confidence: 'docs',
  },
  {
    id: 'CVE-2026-22708',
    agent: 'cursor',
    fixedIn: '2.3.0',
    says: 'shell built-ins pass the command allow-list',
    severity: 'high',
    confidence: 'verified',
  },
  {
    id: 'CVE-2025-53097',
    agent: 'roo-code',
    fixedIn: '3.20.3',
    says: 'search results outside the workspace can be fetched by schema references',
    severity: 'medium',
    confidence: 'docs',
  },
];

export interface BadPackage {
  readonly id: string;
  /** Group 1 is the version, where the address names one. */
  readonly shape: RegExp;
  isBad(version: string): boolean;
  readonly isMalicious: boolean;
  readonly says: string;
}

function below(fixed: string): (version: string) => boolean {
  return (version) => {
    const numbers = (text: string): readonly number[] => text.split(/[.-]/).map((part) => Number.parseInt(part, 10) || 0);
    const [a, b] = [numbers(version), numbers(fixed)];
    for (let i = 0; i < 4; i++) if ((a[i] ?? 0) !== (b[i] ?? 0)) return (a[i] ?? 0) < (b[i] ?? 0);
    return false;
  };
}

export const badPackages: readonly BadPackage[] = [
  {
    id: 'CVE-2025-6514',
    shape: /(?:^|\/)mcp-remote(?:@v?(\d[\w.-]*))?(?:$|\/|@latest)/,
    isBad: below('0.1.16'),
    isMalicious: false,
    says: 'a hostile server runs commands on this machine through mcp-remote before 0.1.16',
  },
  {
    id: 'CVE-2025-49596',
    shape: /@modelcontextprotocol\/inspector(?:@v?(\d[\w.-]*))?/,
    isBad: below('0.14.1'),
    isMalicious: false,
    says: 'the inspector before 0.14.1 lets any web page start commands',
  },
  {
    id: 'CVE-2025-68143',
    shape: /mcp-server-git(?:(?:==|@)v?(\d[\w.-]*))?/,
    isBad: below('2025.12.18'),
    isMalicious: false,
    says: 'the git server before 2025.12.18 reads, writes and deletes outside its repository',
  },
  {
    id: 'CVE-2025-53109',
    shape: /@modelcontextprotocol\/server-filesystem(?:@v?(\d[\w.-]*))/,
    isBad: below('2025.7.1'),
    isMalicious: false,
    says: 'the filesystem server before 2025.7.1 follows links out of its directory',
  },
  {
    id: 'postmark-mcp',
    shape: /(?:^|\/)postmark-mcp(?:@v?(\d[\w.-]*))?(?:$|\/|@latest)/,
    isBad: (version) => !below('1.0.16')(version),
    isMalicious: true,
    says: 'releases from 1.0.16 on sent a copy of every mail to a stranger',
  },
  {
    id: 'clinejection',
    shape: /^cline@(2\.3\.0)$/,
    isBad: () => true,
    isMalicious: true,
    says: 'release 2.3.0 was published by an attacker',
  },
];
