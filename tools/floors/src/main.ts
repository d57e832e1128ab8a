/** Checks the rules of the house in this workspace. Prints each breach with its remedy; exit code 1 where there is one. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Manifest, sourceFiles, workspaceMembers, workspaceRoot } from '@vmexit-tools/workspace'
import { check } from './rules.ts'
import { checkShape } from './shape.ts'

const root = JSON.parse(readFileSync(join(workspaceRoot, 'package.json'), 'utf8')) as Manifest
const members = workspaceMembers()
const houses = members.map((member) => ({ member, files: sourceFiles(member) }))
const findings = [...check(houses, new Set(Object.keys(root.devDependencies ?? {}))), ...checkShape(members)]

for (const { where, what, remedy } of findings) console.log(`${where}\n  ${what}\n  → ${remedy}`)
const files = houses.reduce((sum, house) => sum + house.files.length, 0)
console.log(`${files} files of ${houses.length} members: ${findings.length} breaches`)
process.exitCode = findings.length > 0 ? 1 : 0
