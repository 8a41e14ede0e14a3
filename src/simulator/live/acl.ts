/**
 * Users of the simulated master and what they may run: whole categories and single commands. Key patterns (`~*`) are read and not enforced: no
 * session with a replica depends on them.
 */
import { CommandError, syntaxError } from "./command-error.ts";

/** As `AclUserOptions.rules` of ACL SETUSER: "+@all", "-@admin", "+get", "ON", "OFF", ">password", "nopass", "~*". */
export type AclUserOptions = { readonly name: string; readonly password?: string; readonly rules?: readonly string[] };

/** What the check needs of a command. */
export type AclCommand = { readonly name: string; readonly categories: readonly string[] };

export class AclUser {
  readonly name: string;
  enabled = false;
  noPassword = false;
  readonly #passwords = new Set<string>();
  /** Applied in order; the last that fits decides. */
  readonly #grants: { readonly allow: boolean; readonly what: string }[] = [];

  constructor(name: string) {
    this.name = name;
  }

  /** Throws for a word that is no rule. */
  apply(rule: string): void {
    const word = rule.toLowerCase();
    if (word === "on") this.enabled = true;
    else if (word === "off") this.enabled = false;
    else if (word === "nopass") this.noPassword = true;
    else if (word === "resetpass") this.#passwords.clear();
    else if (word === "allcommands") this.#grants.push({ allow: true, what: "@all" });
    else if (word === "nocommands") this.#grants.push({ allow: false, what: "@all" });
    else if (rule.startsWith(">")) this.#passwords.add(rule.slice(1));
    else if (/^[+-]./.test(word)) this.#grants.push({ allow: word.startsWith("+"), what: word.slice(1) });
    else if (!/^[~&%]|^(allkeys|allchannels|resetkeys|resetchannels)$/.test(word)) throw syntaxError();
  }

  accepts(password: string): boolean {
    return this.enabled && (this.noPassword || this.#passwords.has(password));
  }

  mayRun(command: AclCommand): boolean {
    const last = this.#grants.findLast(({ what }) => covers(what, command));
    return last?.allow === true;
  }
}

function covers(what: string, command: AclCommand): boolean {
  if (what === "@all") return true;
  return what.startsWith("@") ? command.categories.includes(what.slice(1)) : command.name.toLowerCase() === what;
}

export class AclUsers {
  readonly #users = new Map<string, AclUser>();

  constructor(options: {
    readonly requirepass?: string | undefined;
    readonly users?: readonly AclUserOptions[] | undefined;
  }) {
    const { requirepass } = options;
    this.setUser("default", ["on", requirepass === undefined ? "nopass" : `>${requirepass}`, "+@all", "~*"]);
    for (const { name, password, rules } of options.users ?? []) {
      this.setUser(name, ["on", password === undefined ? "nopass" : `>${password}`, ...(rules ?? ["+@all", "~*"])]);
    }
  }

  setUser(name: string, rules: readonly string[]): void {
    const user = this.#users.get(name) ?? new AclUser(name);
    for (const rule of rules) user.apply(rule);
    this.#users.set(name, user);
  }

  /** Who a new connection is; undefined when it has to authenticate. */
  get initial(): AclUser | undefined {
    const user = this.#users.get("default");
    return user?.noPassword === true && user.enabled ? user : undefined;
  }

  /** Throws WRONGPASS. */
  authenticate(name: string, password: string): AclUser {
    const user = this.#users.get(name);
    if (user?.accepts(password) === true) return user;
    throw new CommandError("WRONGPASS invalid username-password pair or user is disabled.");
  }
}
