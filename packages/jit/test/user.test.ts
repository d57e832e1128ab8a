import { userSuite } from '../../x86/test/user/user.suite.ts'
import { eager } from './eager.ts'

userSuite(eager())
