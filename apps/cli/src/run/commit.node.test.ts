import { expect, test } from 'vitest'
import { changed } from './commit.ts'

test('changes are instructions of a Dockerfile', () => {
  const config = { Env: ['A=1', 'B=2'], Cmd: ['sh'] }
  const instructions = ['CMD ["serve", "a b"]', 'entrypoint run it', 'ENV A=3', 'ENV C 4 5', 'WORKDIR /srv', 'USER me']
  expect(changed(config, instructions)).toEqual({
    ...{ Cmd: ['serve', 'a b'], Entrypoint: ['/bin/sh', '-c', 'run it'] },
    ...{ Env: ['B=2', 'A=3', 'C=4 5'], WorkingDir: '/srv', User: 'me' },
  })
  for (const wrong of ['RUN x', 'CMD', 'ENV A']) expect(() => changed({}, [wrong])).toThrow(`'${wrong}' is no change`)
})
