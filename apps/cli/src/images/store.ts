/** The images of this user: a folder beside the instances. */
import { join } from 'node:path'
import { Images } from '@vmexit/image'
import { directoryStore, nodeCodecs } from '@vmexit/image/node'
import { defaultStateDirectory } from '../hosted/state-directory.ts'

/** The images of this user, in `$XDG_STATE_HOME/vmexit/images`. */
export function openImages(): Images {
  return new Images({ store: directoryStore(join(defaultStateDirectory(), 'images')), codecs: nodeCodecs })
}
