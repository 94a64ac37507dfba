/** One setting: everything that is known about it, written once. Schema, loader, printed table and docs read it here. */
import type { ValueType } from './value-types.ts';

export interface Setting<T> {
  /** From text to the value inside; its unit is in the setting's name. */
  readonly type: ValueType<T>;
  /** As a user would write it. Undefined: there is none, and the service does not start without a value. */
  readonly default: string | undefined;
  /** The default in the production profile, where it differs. */
  readonly production?: string;
  /** Other variables that set it, weakest first. All are weaker than `PERSISTENCE_<GROUP>_<NAME>`. */
  readonly aliases?: readonly string[];
  /** Whether a running instance takes another value with its next request; if not, with its next start. */
  readonly hot: boolean;
  /**
   * It is the deployment's: set by file and environment at its start, and by no version of the configuration (lib/runtime-config).
   * Every secret, and whatever finds the versions themselves.
   */
  readonly fixed?: true;
  /** What it does, for the documentation: one short sentence. */
  readonly about: string;
  /** `value`: never shown. `password`: shown without the password in the URL. */
  readonly secret?: 'value' | 'password';
  /** In the file it may be a map or a list of them: read as JSON, every scalar as text. */
  readonly structured?: true;
  /** Set while the capability it belongs to is not built yet: accepted, checked, and reported as without effect. */
  readonly awaits?: string;
}

/** The settings of one group, by the name they have in the file. */
export type SettingGroup = Readonly<Record<string, Setting<unknown>>>;

/** Keeps the types of a group's values while checking its shape. */
export function defineSettings<const G extends SettingGroup>(settings: G): G {
  return settings;
}
