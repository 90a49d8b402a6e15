/** Made by `npm run generate`. */

export const executionResultDefaults = {
  "status": "EXECUTION_STATUS_UNSPECIFIED",
  "state": "",
  "mode": "EXECUTION_MODE_UNSPECIFIED",
  "isAsync": false,
  "isCompleted": false,
  "output": "",
  "contentType": "",
  "errorOutput": "",
  "outputBytes": "0",
  "outputTruncated": false,
  "errorCode": "ERROR_CODE_UNSPECIFIED",
  "errorOrigin": "ERROR_ORIGIN_UNSPECIFIED",
  "errorMessage": "",
  "attempt": 0,
  "queueTimeMs": "0",
  "executionTimeMs": 0,
  "requestId": "",
  "metadata": {},
  "allowedEvents": [],
  "executionId": "",
  "taskId": "",
  "taskName": "",
  "taskRevision": 0,
  "functionName": "",
  "instanceId": "",
  "loosened": [],
  "recoveries": 0,
  "oldestSequence": "0",
  "originExecutionId": "",
  "labels": {},
  "tenant": "",
  "priority": "PRIORITY_UNSPECIFIED",
  "fairnessKey": "",
  "traceId": "",
  "dependsOn": [],
  "batchId": "",
  "schedule": "",
  "cachedFromExecutionId": "",
  "alias": "",
  "cacheUse": "CACHE_USE_UNSPECIFIED",
  "rerunOfExecutionId": "",
  "rerunId": "",
  "webhooks": 0
} as const;

export const streamExecutionResultDefaults = {
  "executionId": "",
  "sequence": "0",
  "position": "0",
  "status": "EXECUTION_STATUS_UNSPECIFIED",
  "attempt": 0,
  "isFinal": false,
  "principal": ""
} as const;

export const transitionDefaults = {
  "from": "",
  "to": "",
  "eventType": "",
  "reasonCode": "",
  "contextPatch": "",
  "chartVersion": 0
} as const;
