/** A worker with one machine. Its first message brings the port. */
import { serve } from './machine.ts'

addEventListener('message', ({ ports: [port] }) => serve(port!), { once: true })
