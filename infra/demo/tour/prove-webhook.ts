/** Alerts come as signed webhooks: a receiver here takes one, and a library of the standard verifies it. */
import { Webhook } from 'standardwebhooks';
import { demand, demandRefusal, demandStatus } from '../claims.ts';
import { type Act, AMPLE_OPERATIONS, type Stage } from './stage.ts';
import { type Message, startWebhookReceiver } from './webhook-receiver.ts';

const HERE = new Set(['localhost', '127.0.0.1', '[::1]']);

export const proveWebhook: Act = {
  title: 'Alerts by webhook',
  async run(stage) {
    const { hostname } = new URL(stage.service.url);
    if (!HERE.has(hostname))
      return { shown: [], notShown: [`A webhook: ${hostname} cannot reach a receiver on this machine`] };
    const receiver = await startWebhookReceiver();
    try {
      return await receiveOne(stage, receiver);
    } finally {
      await receiver.stop();
    }
  },
};

async function receiveOne(
  { cast }: Stage,
  receiver: Awaited<ReturnType<typeof startWebhookReceiver>>,
): ReturnType<Act['run']> {
  const quotas = AMPLE_OPERATIONS;
  const tenant = await cast.create({ name: 'watched', plan: 'starter', quotas, alert_webhook_url: receiver.url });
  const params = { id: tenant.id };
  const listed = await cast.admin.listAlerts({ params });
  demandStatus(listed, 200, "A tenant's alerts and its webhook");
  const { signing_secret, problem } = listed.data.webhook;
  if (signing_secret === null) {
    const refused = await cast.admin.sendTestAlert({ params });
    demandRefusal(refused, { status: 409, code: 'webhook_not_set' }, `A test message without a webhook (${problem})`);
    return { shown: [], notShown: ['A webhook: this deployment has no alerts.webhook_secret to sign with'] };
  }
  const sent = await cast.admin.sendTestAlert({ params });
  demandStatus(sent, 200, 'Send a test message');
  demand(sent.data.delivered, `The receiver did not get the message: ${sent.data.delivery.error}`);
  const message = receiver.messages().find(({ headers }) => headers['webhook-id'] === sent.data.message_id);
  demand(message !== undefined, 'The message with the id that was told has come');
  demand(verifies(message, signing_secret), 'The signature of the message holds');
  const forged = { ...message, body: message.body.replace('"', ' "') };
  demand(!verifies(forged, signing_secret), 'The signature of a changed message does not hold');
  return {
    shown: ['A webhook comes signed: Standard Webhooks verifies it, and refuses it with one character changed'],
  };
}

function verifies({ body, headers }: Message, secret: string): boolean {
  try {
    new Webhook(secret).verify(body, headers);
    return true;
  } catch {
    return false;
  }
}
