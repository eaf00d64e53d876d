// Patterns in commands and in text that models read, shared by the rules about hooks, skills, tools and instructions. Each pattern is
// linear: bounded quantifiers only.

/** Fetches code and runs it, or hides what it runs. */
export const downloadAndRun =
  /\b(curl|wget|fetch|iwr|irm|Invoke-WebRequest)\b[^\n|;&]{0,300}\|\s*(sudo\s+)?(ba|z|da|k|fi)?sh\b|\b(curl|wget)\b[^\n|]{0,300}\|\s*(sudo\s+)?(python3?|node|perl|ruby|bash|php)\b|\bbase64\s+(-d|-D|--decode)\b[^\n]{0,100}\|\s*(ba|z)?sh\b|\b(ba|z)?sh\s+-c\s+["']?\$\((curl|wget)\b|\b(ba|z)?sh\s+<\(\s*(curl|wget)|\beval\s+["']?\$\((curl|wget|echo)\b|\/dev\/tcp\/|\bnc\b[^\n]{0,60}\s-e\b|\bpython3?\s+-c\s+["'][^"'\n]{0,200}(urlopen|exec\(|b64decode)|\bnode\s+-e\s+["'][^"'\n]{0,200}(child_process|eval\()|\biex\b[^\n]{0,60}(irm|iwr|DownloadString)|\bxxd\s+-r\b[^\n]{0,60}\|\s*(ba)?sh|(curl|wget)\b[^\n]{0,200}(-o|-O|--output|>)\s*\S{1,100}\s*(&&|;)[^\n]{0,100}(chmod\s+\+x|\bsh\b|\bbash\b|\.\/)/i;

/** Sends data out. */
export const sendsOut =
  /\bcurl\b[^\n]{0,300}(\s(-d|--data(-\w+)?|-F|--form|-T|--upload-file|--json)\b|\s-X\s*(POST|PUT)|@-|\$\(|`)|\bwget\b[^\n]{0,200}--post-(data|file)|\b(nc|ncat|netcat)\b\s+(-\w+\s+)?[\w.-]{3,}\s+\d+|\bscp\b[^\n]{0,200}\s[\w.@-]+:|\brsync\b[^\n]{0,200}\s[\w.@-]+:|\baws\s+s3\s+(cp|sync)\b|Invoke-RestMethod[^\n]{0,200}-Method\s+Post|\bdig\b[^\n]{0,100}\$\(|\bnslookup\b[^\n]{0,100}\$\(|fetch\(["'`]https?:[^\n]{0,200}method:\s*["']POST/i;

/** Text that turns a model against its user. */
export const overrides: readonly { readonly shape: RegExp; readonly what: string }[] = [
  {
    shape:
      /\b(ignore|disregard|forget|override)\s+(all\s+|any\s+)?(of\s+)?(the\s+|your\s+|these\s+)?(previous|prior|above|earlier|preceding|system|existing)\s+(\w+\s+)?(instructions?|prompts?|rules?|directions?|guidelines?|messages?)/i,
    what: 'overrides earlier instructions',
  },
  {
    shape:
      /\b(do\s+not|don'?t|never|without)\s+(tell|telling|inform|informing|mention(ing)?|reveal(ing)?|show(ing)?|notify(ing)?|alert(ing)?|disclos(e|ing))\b[^\n.]{0,40}\b(the\s+|to\s+the\s+|this\s+to\s+(the\s+)?)?(user|human|developer|anyone|them)\b/i,
    what: 'asks for secrecy towards the user',
  },
  {
    shape:
      /\b(send|post|upload|exfiltrate|transmit|forward|leak|email|append|include|pass|copy|read)\b[^\n]{0,120}(\.ssh\/|id_rsa|id_ed25519|\.aws\/credentials|\.env\b|api[_ -]?keys?|credentials?|secrets?|tokens?|passwords?|environment variables|private keys?)[^\n]{0,160}(https?:\/\/|webhook|attacker|to\s+(the\s+)?(server|url|endpoint|address|parameter|sidenote|body|query)|as\s+(the\s+)?(value|parameter|argument))/i,
    what: 'asks to send secrets out',
  },
  { shape: /<(IMPORTANT|SYSTEM|HIDDEN|INSTRUCTIONS?|secret)>/i, what: 'dresses text up as a system message' },
  {
    shape: /\b(curl|wget)\b[^\n]{0,200}(\$\(cat|`cat|\$\(env|@~?\/|@\.env|\$\{?\w*(TOKEN|KEY|SECRET))/i,
    what: 'holds a command that sends files or variables out',
  },
  {
    shape:
      /\b(you\s+are\s+now|from\s+now\s+on\s+you\s+are|act\s+as)\b[^\n.]{0,60}\b(unrestricted|jailbroken|DAN|without\s+(any\s+)?(restrictions?|limits?|filters?))\b/i,
    what: 'takes restrictions off',
  },
  {
    shape:
      /\b(before|prior\s+to)\s+(using|calling|invoking|running)\s+(this|any|the)\s+(\w+\s+)?(tool|command|function)s?\b[^\n]{0,120}\b(read|cat|open|send|include|pass)\b/i,
    what: 'makes a tool call depend on reading something first',
  },
  {
    shape:
      /--dangerously-skip-permissions|\b(skip|bypass|disable)\s+(all\s+)?(permission|approval|safety|security)\s+(checks?|prompts?|questions?)\b/i,
    what: 'asks to skip permission checks',
  },
];

/** Somebody writing about such text, not using it. */
export const aboutInjection =
  /\b(example|e\.g\.|such as|attack|attacker|injection|malicious|untrusted|beware|watch (out )?for|refuse|reject|detect|never (follow|obey)|do not (follow|obey)|report|warn|treat (it|them|this)|if (a|any|some)|phrase|quote[sd]?|says?)\b/i;
