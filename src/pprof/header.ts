import type { Header, Profile, ValueType } from './columns.ts';
import { type ProfileReader, SAMPLE_TYPE } from './profile-reader.ts';

interface NumberedType {
  type: number;
  unit: number;
}

/** Reads what a profile says of itself: numbers of strings at first, text when the whole string table has been read. */
export class HeaderReader {
  readonly sampleTypes: NumberedType[] = [];
  #periodType: NumberedType = { type: 0, unit: 0 };
  readonly #comments: number[] = [];
  #dropFrames = 0;
  #keepFrames = 0;
  #defaultSampleType = 0;
  #docUrl = 0;

  /** Reads the field that the reader is at; one that is not known is skipped. */
  field(reader: ProfileReader, header: Header): void {
    switch (reader.fieldTag) {
      case SAMPLE_TYPE:
        reader.bounded('sample types', this.sampleTypes.push(valueType(reader)), reader.limits.headers);
        reader.hasSampleType = true;
        break;
      case 0x38:
        this.#dropFrames = reader.stringNumber();
        break;
      case 0x40:
        this.#keepFrames = reader.stringNumber();
        break;
      case 0x48:
        if (header.timeNanos !== 0n) throw reader.failure('a second time_nanos: these are two profiles in one');
        header.timeNanos = reader.int64Value();
        break;
      case 0x50:
        header.durationNanos = reader.int64Value();
        break;
      case 0x5a:
        this.#periodType = valueType(reader);
        break;
      case 0x60:
        header.period = reader.int64Value();
        break;
      case 0x68:
        this.#comment(reader);
        break;
      case 0x6a:
        this.#packedComments(reader);
        break;
      case 0x70:
        this.#defaultSampleType = reader.stringNumber();
        break;
      case 0x78:
        this.#docUrl = reader.stringNumber();
        break;
      default:
        reader.skipField(reader.fieldTag, 15);
    }
  }

  /** Puts the texts into the profile's header. */
  resolve(profile: Profile): void {
    const text = (string: number) => profile.text(string);
    const typed = ({ type, unit }: NumberedType): ValueType => ({ type: text(type), unit: text(unit) });
    Object.assign(profile.header, {
      sampleTypes: this.sampleTypes.map(typed),
      periodType: typed(this.#periodType),
      comments: this.#comments.map(text),
      dropFrames: text(this.#dropFrames),
      keepFrames: text(this.#keepFrames),
      defaultSampleType: text(this.#defaultSampleType),
      docUrl: text(this.#docUrl),
    } satisfies Partial<Header>);
  }

  #packedComments(reader: ProfileReader): void {
    const stop = reader.stop();
    while (reader.pos < stop) this.#comment(reader);
    reader.ended(stop);
  }

  #comment(reader: ProfileReader): void {
    reader.bounded('comments', this.#comments.push(reader.stringNumber()), reader.limits.headers);
  }
}

function valueType(reader: ProfileReader): NumberedType {
  const found: NumberedType = { type: 0, unit: 0 };
  const stop = reader.stop();
  while (reader.pos < stop) {
    const tag = reader.uint();
    if (tag === 0x08) found.type = reader.stringNumber();
    else if (tag === 0x10) found.unit = reader.stringNumber();
    else reader.skipField(tag, 2);
  }
  reader.ended(stop);
  return found;
}
