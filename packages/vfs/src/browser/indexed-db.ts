/** Saved trees as blobs in an IndexedDB database (W3C Indexed Database API). */
import { type TreeStore, treeStore } from './store.ts'

const trees = 'trees'

/** Trees as blobs in a database of this name. Each save is one transaction. */
export function indexedDbStore(database: string): TreeStore {
  const run = async <Result>(mode: IDBTransactionMode, ask: (store: IDBObjectStore) => IDBRequest<Result>) => {
    const opened = await open(database)
    try {
      const transaction = opened.transaction(trees, mode)
      const request = ask(transaction.objectStore(trees))
      await new Promise<void>((resolve, reject) => {
        transaction.oncomplete = () => resolve()
        transaction.onabort = () => reject(transaction.error)
      })
      return request.result
    } finally {
      opened.close()
    }
  }
  return treeStore({
    put: async (name, blob) => {
      await run('readwrite', (store) => store.put(blob, name))
    },
    get: (name) => run('readonly', (store) => store.get(name) as IDBRequest<Blob | undefined>),
    names: async () => (await run('readonly', (store) => store.getAllKeys())).map(String),
    remove: (name) => run('readwrite', (store) => store.delete(name)),
  })
}

function open(database: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(database, 1)
    request.onupgradeneeded = () => request.result.createObjectStore(trees)
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}
