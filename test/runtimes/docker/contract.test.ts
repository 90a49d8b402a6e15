import { runtimeContract } from '../contract.ts';
import { coldRuntime, openRuntime, taskOf, testImageId } from './tasks.ts';
import { describeDocker } from './where.ts';

describeDocker('docker', () =>
  runtimeContract(
    'docker',
    async () => coldRuntime(await openRuntime()),
    async () => {
      const id = await testImageId();
      return {
        cat: taskOf(id, ['cat']),
        exit: taskOf(id, ['exit']),
        env: taskOf(id, ['show-env']),
        loop: taskOf(id, ['loop']),
        flood: taskOf(id, ['yes']),
      };
    },
    // The engine keeps a megabyte for each reader, beside what pipe and sockets hold.
    4 * 1024 * 1024,
  ),
);
